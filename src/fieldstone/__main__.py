"""`python -m fieldstone`, and the command `fieldstone`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """The command line; Ctrl-C while it is being loaded ends it as quietly as later."""
    try:
        from fieldstone.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
