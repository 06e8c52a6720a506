TABLES = [
    f"{RESULTS}/agreement/{name}.parquet" for name in FLOW_CELLS
]
