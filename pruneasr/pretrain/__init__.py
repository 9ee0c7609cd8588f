"""A small HuBERT-style pre-training for corpora without a published teacher."""
