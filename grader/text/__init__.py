"""Prose and numbers: cleaning, sentences, key points, guards, quantities. Nothing here imports torch."""
