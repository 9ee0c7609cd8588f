"""Small networks that read an encoder's hidden states."""
