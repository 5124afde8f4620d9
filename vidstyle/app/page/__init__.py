"""What the page looks like: Streamlit's part, and nothing that works without it."""
