"""Scripts that make the models which the package carries; nothing here runs in the service."""
