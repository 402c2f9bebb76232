package verdict

// Tone says how a part of a document is to be taken.
type Tone string

// Tones; the empty one says nothing either way.
const (
	Good Tone = "good"
	Care Tone = "care"
	Bad  Tone = "bad"
)

// Document is a verdict for people. Its parts are plain text in one line each: whoever shows it sets it as text, never as markup.
type Document struct {
	Title    string    `json:"title"`
	Answer   string    `json:"answer"`
	Tone     Tone      `json:"tone"`
	Lead     []string  `json:"lead"`
	Sections []Section `json:"sections"`
}

// Section is a part of a document under a heading.
type Section struct {
	Title string   `json:"title"`
	Rows  []Row    `json:"rows,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Row is a labelled line. A row without a label goes on with the one before.
type Row struct {
	Label string `json:"label"`
	Text  string `json:"text"`
	Tone  Tone   `json:"tone,omitempty"`
	// Exact is for what is compared character by character, such as a digest.
	Exact bool `json:"exact,omitempty"`
}
