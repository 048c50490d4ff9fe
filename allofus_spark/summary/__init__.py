"""How many variants there are, of each kind and in each ancestry."""
