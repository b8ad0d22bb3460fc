// Checks proofs of the audit log's Merkle tree (RFC 9162 2.1), as server/audit_log/merkle.py does.
const NODE = 1;

export const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));

export const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

const node = (left, right) => sha256(new Uint8Array([NODE, ...left, ...right]));
const half = (number) => Math.floor(number / 2);

/** The roots that a proof leads to: of the tree that ends with the start, and of the whole tree. */
async function climb(start, at, last, proof) {
  let [old, root] = [start, start];
  for (const one of proof) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      [old, root] = await Promise.all([node(one, old), node(one, root)]);
      while (at && at % 2 === 0) [at, last] = [half(at), half(last)];
    } else {
      root = await node(root, one);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? [old, root] : null;
}

/** Whether the leaf is at this index of the tree. */
export async function isIncluded(leaf, index, { size, root }, proof) {
  if (!(Number.isSafeInteger(index) && 0 <= index && index < size)) return false;
  const found = await climb(leaf, index, size - 1, proof);
  return found !== null && same(found[1], root);
}

/** Whether the old tree is the beginning of the new one. */
export async function isConsistent(old, { size, root }, proof) {
  if (old.size > size) return false;
  if (old.size === 0 || old.size === size) {
    return proof.length === 0 && same(old.root, old.size ? root : await sha256(new Uint8Array()));
  }
  const isWhole = Number.isInteger(Math.log2(old.size)); // then the proof leaves out the old root
  const [start, ...rest] = isWhole ? [old.root, ...proof] : proof;
  if (start === undefined) return false;
  let [at, last] = [old.size - 1, size - 1];
  while (at % 2) [at, last] = [half(at), half(last)];
  const found = await climb(start, at, last, rest);
  return found !== null && same(found[0], old.root) && same(found[1], root);
}
