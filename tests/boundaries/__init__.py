"""Every limit of AOS, as tables that the tests of boundaries go through."""
