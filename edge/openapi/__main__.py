"""`python -m edge.openapi gen/scenemesh.binpb`: prints the document as YAML."""

import sys
from pathlib import Path

from edge.openapi.document import as_yaml, document

if __name__ == "__main__":
    sys.stdout.write(as_yaml(document(Path(sys.argv[1]))))
