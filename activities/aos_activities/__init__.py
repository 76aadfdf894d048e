"""Every effect of AOS: models, tools, the store."""
