"""Tables are defined in words, and a misspelled word is an error."""

import pytest

from server.storage import tables


def test_each_word_is_a_column_with_its_traits():
    """The default is text that cannot be NULL."""
    agent, at = tables.columns("agent_id:agents.id:cascade:index at:big?")
    assert (agent.nullable, agent.index, at.nullable) == (False, True, True)
    (reference,) = agent.foreign_keys
    assert reference.ondelete == "CASCADE"


@pytest.mark.parametrize("word", ["agent_id:agents.id:cascde", "at:bigint"])
def test_a_misspelled_trait_is_refused(word):
    """Otherwise the column would silently lack it."""
    with pytest.raises(ValueError, match=f"{word} has an unknown trait"):
        list(tables.columns(word))
