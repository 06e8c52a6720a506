FIGURES = [
    file
    for name, cells in EXPERIMENTS.items()
    if CONFIG["experiments"][name]["figure"] != "flow"
    for file in rates_of(cells, "curves")
]
