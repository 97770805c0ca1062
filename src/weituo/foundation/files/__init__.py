"""Files: digests and safe places under WEITUO_HOME."""
