"""Calls to partners' HTTP endpoints: address guard, authentication, OAuth 2, the client."""
