"""The one door for addresses that users give: calendars, address books, mail servers."""
