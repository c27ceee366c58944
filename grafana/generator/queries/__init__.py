"""What each dashboard asks: queries alone, apart from how they are drawn."""
