"""Stage problems: draw the instances of a block of repetitions (A, x_0 and y), or read one."""

from pipeline.command_line import run
from pipeline.drawing import drawn, problem_parser


def main() -> None:
    args = problem_parser(__doc__).parse_args()
    drawn(args).save(args.output)


if __name__ == "__main__":
    run(main)
