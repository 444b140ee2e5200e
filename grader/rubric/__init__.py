"""YAML -> `Assignment`: strict models, a loader whose errors name the line, and a lint."""
