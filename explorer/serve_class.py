"""`make class`: serve the app to the local network, and print where students find it."""

from __future__ import annotations

import os
import sys

from explorer.address import lan_address, qr_text

PORT = 8501  # Streamlit's own


def main(port: int = PORT) -> None:
    """Print the address and its QR code, then become the server."""
    address = lan_address()
    if address is None:
        print("This machine has no network: only it can open the app.")
    else:
        link = f"http://{address}:{port}"
        print(f"{qr_text(link)}\nStudents open {link}\nEach page's 'Share this view' has its own.")
    sys.stdout.flush()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    os.execv(sys.executable, [*command, "--server.address", "0.0.0.0"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT)
