"""What strangers may hand in, each as a target of a fuzzer: a reader, and valid inputs to start from."""
