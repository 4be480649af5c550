"""The routes, one module a screen."""
