"""Coming to AOS from other systems: what is read from theirs."""
