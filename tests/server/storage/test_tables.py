"""Columns are defined by short texts, and a misspelled text is an error."""

import pytest

from server.storage import tables


def test_each_word_defines_a_column_with_its_traits():
    """By default, a column contains text and cannot be NULL."""
    agent, at = tables.columns("agent_id:agents.id:cascade:index at:big?")
    assert (agent.nullable, agent.index, at.nullable) == (False, True, True)
    (reference,) = agent.foreign_keys
    assert reference.ondelete == "CASCADE"


@pytest.mark.parametrize("word", ["agent_id:agents.id:cascde", "at:bigint"])
def test_a_misspelled_trait_is_refused(word):
    """Otherwise the column would be created without the trait."""
    with pytest.raises(ValueError, match=f"{word} has an unknown trait"):
        list(tables.columns(word))
