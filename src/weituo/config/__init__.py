"""The composition root: settings, addresses, servers; the one place that knows every room."""
