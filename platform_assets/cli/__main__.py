"""``python -m platform_assets.cli``, which is what the launcher runs."""

import sys

from platform_assets.cli.main import main

sys.exit(main())
