"""What stands around the engine: data for the demo and the benchmarks, and the demo itself."""
