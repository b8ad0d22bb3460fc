// Storage of the peer: maps in memory that forget nothing while a benchmark runs.
//
// The provider's own memory adapter keeps the newest thousand entries, and a run needs more.
export class Memory {
  constructor() {
    this.entries = new Map();
  }

  async upsert(id, payload) {
    this.entries.set(id, payload);
  }

  async find(id) {
    return this.entries.get(id);
  }

  async consume(id) {
    this.entries.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.entries) if (payload.grantId === grantId) this.entries.delete(id);
  }
}
