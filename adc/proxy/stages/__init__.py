"""Stages of a route that change a request or a response, and actions that respond without a member."""
