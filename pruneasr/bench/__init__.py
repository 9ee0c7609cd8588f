"""How fast encoders are, measured beside the models they replace."""
