"""Identity: staff and agency users, roles, permissions, API keys; turning a signed-in person into an `Actor`."""
