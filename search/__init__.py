"""How networks are tried: studies, factors, designs, trials, and the record of what happened."""
