"""The tables of consents."""

from sqlalchemy import Index

from server.storage.tables import define_table

consents = define_table(
    "consents",
    "id:key user_id:users.id client_id app_id? resource scopes created_at:big "
    "expires_at:big revoked_at:big? approval_id?",
    Index("ix_consents_live", "user_id", "client_id", "resource"),
    Index("ix_consents_client", "client_id"),
)
