"""The words the sample's world is made of.

Belongs here: lists of invented names and of real places. Does not belong here: choosing among them.
"""

FIRST_NAMES = (
    "Claire", "Darrin", "Sean", "Brosina", "Andrew", "Irene", "Harold", "Pete", "Zoë", "Ken", "Sandra", "Emily",
    "Eric", "Tracy", "Matt", "Gene", "Steve", "Linda", "Ruben", "Erin", "Odella", "Patrick", "Lena", "Janet",
    "Chloé", "Ted", "Kunst", "Paul", "Brendan", "Karen", "Joel", "Christine", "José", "Günter", "Søren", "Anaïs",
)  # fmt: skip
LAST_NAMES = (
    "Gute", "Van Huff", "O\u2019Donnell", "Hoffman", "Allen", "Foster", "Pawlan", "Kriz", "Müller", "Black", "Flanagan",
    "Burns", "Blumstein", "Abelman", "Hale", "Nguyen", "Cazamias", "Ausman", "Smith", "Nelson", "Ryan", "Lefèvre",
    "Molinari", "Miller", "Núñez", "Craven", "Ballentine", "Lonsdale", "Schmidt", "Eaton", "Ferrari", "Engle",
)  # fmt: skip

COUNTRIES = ("United Kingdom", "Germany", "France", "Ireland", "Spain", "Netherlands", "Belgium", "Switzerland",
             "Portugal", "Australia")  # fmt: skip
COUNTRY_SHARES = (0.82, 0.045, 0.04, 0.025, 0.018, 0.015, 0.012, 0.01, 0.01, 0.005)

PLACES = (
    ("New York City", "New York", "East", "10024", "United States"),
    ("Los Angeles", "California", "West", "90036", "United States"),
    ("Seattle", "Washington", "West", "98103", "United States"),
    ("San Francisco", "California", "West", "94122", "United States"),
    ("Philadelphia", "Pennsylvania", "East", "19140", "United States"),
    ("Houston", "Texas", "Central", "77095", "United States"),
    ("Chicago", "Illinois", "Central", "60610", "United States"),
    ("Columbus", "Ohio", "East", "43229", "United States"),
    ("Newark", "New Jersey", "East", "07102", "United States"),
    ("Boston", "Massachusetts", "East", "02108", "United States"),
    ("Jacksonville", "Florida", "South", "32216", "United States"),
    ("Atlanta", "Georgia", "South", "30318", "United States"),
    ("Detroit", "Michigan", "Central", "48227", "United States"),
    ("Springfield", "Virginia", "South", "22153", "United States"),
    ("Montréal", "Québec", "East", "H2Y 1C6", "Canada"),
    ("Vancouver", "British Columbia", "West", "V6B 1A1", "Canada"),
)
"""City, state, region, postal code, country."""

SEGMENTS = ("Consumer", "Corporate", "Home Office")
SEGMENT_SHARES = (0.5, 0.32, 0.18)

BRANDS = ("Avery", "Bretford", "Café Olé", "Eldon", "Fellowes", "Global", "Hon", "Kensington", "Logitech", "Newell",
          "O\u2019Neill™", "Safco", "Tenex", "Wilson Jones", "Xerox", "Zebra")  # fmt: skip
STYLES = ("Antique", "Classic", "Compact", "Deluxe", "Economy", "Folding", "Heavy-Duty", "Lightweight", "Mini",
          "Modern", "Premium", "Recycled", "Retro", "Round", "Slim", "Stackable", "Vintage", "Wireless")  # fmt: skip
COLOURS = ("Black", "Blue", "Clear", "Cream", "Green", "Grey", "Ivory", "Pink", "Red", "White")

CATEGORIES = (
    ("Office Supplies", "Binders", 6.0, 180, ("Ring Binder", 'Clipboard 11"', "Index Tabs")),
    ("Office Supplies", "Paper", 4.0, 400, ("Copy Paper", "Note Pads", "Envelopes")),
    ("Office Supplies", "Art", 3.0, 60, ("Pencil Set", "Marker Set", "Crayons")),
    ("Office Supplies", "Storage", 18.0, 1500, ("Storage Box", "File Cart", "Drawer Set")),
    ("Furniture", "Chairs", 95.0, 9000, ("Task Chair", "Stacking Chair", "Bar Stool")),
    ("Furniture", "Tables", 140.0, 22000, ("Conference Table", "Side Table", "Training Table")),
    ("Furniture", "Furnishings", 14.0, 900, ("Wall Clock", 'Picture Frame 8"', "Desk Lamp")),
    ("Technology", "Phones", 110.0, 350, ("Speaker Phone", "Headset", "Smart Phone")),
    ("Technology", "Accessories", 28.0, 200, ("Keyboard", "USB Hub", "Mouse")),
    ("Home & Garden", "Candles", 3.5, 300, ("Candle Holder", "T-Light Holder", "Candle Set")),
    ("Home & Garden", "Kitchen", 5.5, 500, ("Cake Tin", "Tea Towel", "Lunch Bag")),
    ("Home & Garden", "Decoration", 4.5, 250, ("Heart Wall Hanger", "Bunting", "Gift Card €50")),
    ("Toys & Gifts", "Toys", 6.5, 400, ("Building Blocks", "Play House", "Soft Toy")),
    ("Toys & Gifts", "Party", 2.5, 120, ("Paper Cups", "Party Bags", "Balloons")),
)
"""Category, sub-category, usual price, usual weight in grams, things."""
