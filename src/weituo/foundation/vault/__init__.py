"""Vault: the only home of personal data. One data key a person, wrapped by a master key; found by keyed blind index."""
