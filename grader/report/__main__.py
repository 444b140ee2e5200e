"""``python -m grader.report > docs/results.schema.json``: the schema of results.json, from the model."""

import json

from grader.report.published import schema

print(json.dumps(schema(), indent=2, ensure_ascii=False))
