"""Many services that follow one repository: what its storage sees, and how soon all of them serve what is promoted."""
