"""Access by the country, continent or network operator of the client."""
