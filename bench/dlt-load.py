"""Loads a file of JSON lines, gzip, into Postgres with dlt, and prints the seconds that it took as JSON.

    dlt-load.py <file> <postgres url> <folder>

The columns are given, so that dlt need not find them out, and rows travel as CSV, which dlt hands to COPY. It reads a file
on the disk: fetching it is not measured. The table has no key, as dlt makes none by itself.
"""

import gzip
import json
import os
import sys
import time

import dlt
from dlt.common.json import json as fast_json

path, url, folder = sys.argv[1:]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
columns = {
    "created_at": "timestamp",
    "source": "bigint",
    "filesize": "bigint",
    "bytes_sent": "bigint",
    "seconds_downloaded": "bigint",
    "duration": "double",
    "blacklisted_ip": "bool",
    "blacklisted_ua": "bool",
}


@dlt.resource(
    name="metric",
    write_disposition="replace",
    columns={name: {"data_type": kind} for name, kind in columns.items()},
)
def metric():
    rows = []
    with gzip.open(path, "rb") as lines:
        for line in lines:
            rows.append(fast_json.loadb(line))
            if len(rows) == 10_000:
                yield rows
                rows = []
    yield rows


pipeline = dlt.pipeline(
    pipeline_name="bench",
    pipelines_dir=folder,
    destination=dlt.destinations.postgres(url),
    dataset_name="bench_dlt",
)
start = time.monotonic()
pipeline.run(metric(), loader_file_format="csv")
seconds = time.monotonic() - start
with pipeline.sql_client() as client:
    rows = client.execute_sql("select count(*) from metric")[0][0]
print(json.dumps({"seconds": seconds, "rows": rows}))
