"""Sharing 信息共享: what may be disclosed to whom; encrypted packages; revocation."""
