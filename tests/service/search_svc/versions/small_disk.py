"""A build on a disk that takes few bytes of a file."""

import resource

from services.search_svc.versions.build import main

FILE_BYTES_MAX = 4096

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    main()
