"""Parquet: records with their number in the table, which stands for the line it does not have."""

from pathlib import Path

from training.errors import RowsRefused
from training.reading.records import Records


def read_parquet(paths: list[Path]) -> Records:
    """Read the rows of one table, stored in one file or in several shards.

    Raises:
        RowsRefused: A file is not Parquet.
    """
    # Half a second, which no other format needs.
    import pyarrow  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    records = Records("parquet")
    for path in paths:
        try:
            with parquet.ParquetFile(path) as file:
                records.names = list(file.schema_arrow.names)
                for batch in file.iter_batches():
                    for record in batch.to_pylist():
                        records.items.append((len(records.items) + 1, record))
        except (OSError, ValueError, OverflowError, pyarrow.ArrowException) as error:
            raise RowsRefused(
                f"Cannot read rows from {path}: {error}. Expected a Parquet file. Write it again, "
                "or convert it to JSON lines."
            ) from error
    return records
