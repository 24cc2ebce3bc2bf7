"""What credit is and how it is drawn on. No I/O, no protobuf, no clock: time and ids are arguments."""
