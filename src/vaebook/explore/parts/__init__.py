"""What the explorers share; none of these modules knows an explorer."""
