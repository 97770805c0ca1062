"""The simulated portfolio and agencies: everybody in it is invented."""
