"""The arrays that an index consists of."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
U8: TypeAlias = NDArray[np.uint8]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]
I64: TypeAlias = NDArray[np.int64]
F32: TypeAlias = NDArray[np.float32]
# Of any width: numbers of entries, labels or words.
Numbers: TypeAlias = NDArray[np.integer[Any]]

# By their names in the file.
Arrays: TypeAlias = dict[str, NDArray[Any]]
