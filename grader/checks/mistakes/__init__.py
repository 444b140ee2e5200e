"""Common mistakes, each found from code, measured model and run: feedback, and usable as a criterion."""
