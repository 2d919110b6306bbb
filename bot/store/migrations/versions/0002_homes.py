"""Where each session's computer keeps its files, and the saves of them.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.tables import NUMBER

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "homes",
        sa.Column("session", sa.Text, primary_key=True, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("untold", sa.Text, nullable=False),
    )
    op.create_table(
        "saves",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("files", NUMBER, nullable=False),
        sa.Column("home_files", NUMBER, nullable=False),
        sa.Column("omitted_count", NUMBER, nullable=False),
        sa.Column("omitted", sa.Text, nullable=False),
    )
    op.create_index("saves_by_session", "saves", ["session", "at"])
