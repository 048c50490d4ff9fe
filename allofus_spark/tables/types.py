"""Short names of the Spark types that the contracts use."""

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

STRING = StringType()
INT = IntegerType()
LONG = LongType()
DOUBLE = DoubleType()
DATE = DateType()
TIMESTAMP = TimestampType()
BINARY = BinaryType()
BOOLEAN = BooleanType()
INTS = ArrayType(INT)
LONGS = ArrayType(LONG)
DOUBLES = ArrayType(DOUBLE)
STRINGS = ArrayType(STRING)
COUNTERS = MapType(STRING, LONG)
VERSIONS = MapType(STRING, LONG)


def struct(**fields: DataType) -> StructType:
    """A struct of nullable fields, in the order given."""
    return StructType([StructField(name, kind, True) for name, kind in fields.items()])


def array(item: DataType) -> ArrayType:
    """An array of ``item``."""
    return ArrayType(item)


def mapping(key: DataType, value: DataType) -> MapType:
    """A map from ``key`` to ``value``."""
    return MapType(key, value)
