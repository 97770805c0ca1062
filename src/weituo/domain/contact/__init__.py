"""Contact 联络: the gate that grants or refuses each contact, the attempts made, and violations."""
