package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// The test binary is also the child process of some tests.
func TestMain(m *testing.M) {
	if do := children[os.Getenv("STATE_TEST_CHILD")]; do != nil {
		do(os.Getenv("STATE_TEST_FILE"))
		return
	}
	goleak.VerifyTestMain(m)
}

var children = map[string]func(name string){"hold": hold, "crash": crash, "fill": fill}

func child(t *testing.T, what, name string, wrap ...string) *exec.Cmd {
	t.Helper()
	args := append(wrap, os.Args[0])
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "STATE_TEST_CHILD="+what, "STATE_TEST_FILE="+name)
	c.Stderr = os.Stderr
	return c
}

var usual = Binding{List: "L1", Account: "A1", Operation: "add", Mapping: map[string]string{"--by": "email"}}

// open opens a state with a limit of its own for recent.
func open(t testing.TB, name string, limit int) *State {
	t.Helper()
	s, err := Open(name, usual)
	if err != nil {
		t.Fatal(err)
	}
	s.limit = limit
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// person returns a person whose rows are in one of a few blocks, so that small tests have blocks of several rows.
func person(n int) (h Hash) {
	h[0], h[1], h[2], h[15] = byte(n%7*40), 0x10, byte(n*37), byte(n)
	return h
}

func row(n, version int) Row { return Row{person(n), Hash{0: byte(version), 15: 1}} }

// A state that cannot be used says what is wrong and what to do, and Check says the same as Open.
func TestErrors(t *testing.T) {
	const (
		own = "pass --state with a file of its own for this list, command and mapping, " +
			"or delete the file: the next run then sends all rows"
		again = "delete it: the next run sends all rows again"
		made  = "pass --state with a file that is not there yet: it is made"
		where = "pass --state with a file that this user can read and write, in a folder that exists"
	)
	with := func(change func(*Binding)) Binding {
		b := usual
		b.Mapping = maps.Clone(usual.Mapping)
		change(&b)
		return b
	}
	for name, c := range map[string]struct {
		make       func(t *testing.T, file string) // nil makes a state for usual
		open       Binding
		text, hint string // text has FILE for the file's name; "" is no error
	}{
		"same":    {open: usual},
		"missing": {make: func(*testing.T, string) {}, open: usual},
		"empty":   {make: func(t *testing.T, file string) { write(t, file, "") }, open: usual},
		"another list": {open: with(func(b *Binding) { b.List = "L2" }),
			text: "the state FILE cannot be used: it is for the list L1, and this run is for L2", hint: own},
		"a list that is not made yet": {open: with(func(b *Binding) { b.List = "" }),
			text: "the state FILE cannot be used: it is for the list L1, and this run makes a new list", hint: own},
		"another account": {open: with(func(b *Binding) { b.Account = "A2" }),
			text: "the state FILE cannot be used: it is for the account A1, and the key belongs to A2", hint: own},
		"an unknown account": {open: with(func(b *Binding) { b.Account = "" })},
		"another operation": {open: with(func(b *Binding) { b.Operation = "mirror" }),
			text: "the state FILE cannot be used: it is for add, and this run is mirror", hint: own},
		"another mapping": {open: with(func(b *Binding) { b.Mapping["--by"], b.Mapping["--map"] = "phone_number", "a=b" }),
			text: "the state FILE cannot be used: it was made with --by email, and this run is with --by phone_number; " +
				"it was made without --map, and this run is with --map a=b", hint: own},
		"no mapping": {open: with(func(b *Binding) { b.Mapping = nil }),
			text: "the state FILE cannot be used: it was made with --by email, and this run is without --by", hint: own},
		"another version": {make: func(t *testing.T, file string) {
			s := open(t, file, 10)
			s.record.Version = 2
			s.Bind("L1")
			closed(t, s)
		}, open: usual, text: "the state FILE has version 2, and this klaviyo-export reads version 1",
			hint: "use the klaviyo-export that wrote it, or delete it: the next run sends all rows again"},
		"cut in its first pages": {make: func(t *testing.T, file string) {
			filled(t, file)
			cut(t, file, pageSize)
		}, open: usual, text: "the state FILE is damaged: its end is missing", hint: again},
		"damaged": {make: func(t *testing.T, file string) {
			filled(t, file)
			flip(t, file, 16+50)
		}, open: usual, text: "the state FILE is damaged: page 0 is not as it was written", hint: again},
		"no state": {make: func(t *testing.T, file string) { write(t, file, strings.Repeat("email\n", 9000)) }, open: usual,
			text: "FILE is not a state file", hint: made},
		"short and no state": {make: func(t *testing.T, file string) { write(t, file, "email\n") }, open: usual,
			text: "FILE is not a state file", hint: made},
		"another program's database": {make: func(t *testing.T, file string) {
			db, err := bbolt.Open(file, 0o600, &bbolt.Options{PageSize: pageSize})
			if err == nil {
				err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("own")); return err })
			}
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}, open: usual, text: "FILE is not a state file", hint: made},
		"a folder": {make: func(t *testing.T, file string) {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, open: usual, text: "FILE is not a state file", hint: made},
		"no permission": {make: func(t *testing.T, file string) {
			if os.Getuid() == 0 {
				t.Skip("root has every permission")
			}
			filled(t, file)
			if err := os.Chmod(file, 0o400); err != nil {
				t.Fatal(err)
			}
		}, open: usual, text: "open the state FILE: permission denied", hint: where},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state")
			if c.make == nil {
				c.make = filled
			}
			c.make(t, file)
			same(t, looks(file, c.open), file, c.text, c.hint)
			s, err := Open(file, c.open)
			same(t, err, file, c.text, c.hint)
			if err == nil {
				closed(t, s)
			}
		})
	}
	t.Run("cut", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "state")
		filled(t, file)
		want := fmt.Sprintf("the state FILE is damaged: it has 5 pages of %d", pages(t, file))
		cut(t, file, 5*pageSize)
		same(t, looks(file, usual), file, want, again)
		_, err := Open(file, usual)
		same(t, err, file, want, again)
	})
	t.Run("no folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "none", "state")
		same(t, looks(file, usual), file, "open the state FILE: no such file or directory", where)
	})
}

// same fails the test unless err is the *Error with this text and hint, or nil for "".
func same(t *testing.T, err error, file, text, hint string) {
	t.Helper()
	if err == nil && text == "" {
		return
	}
	var own *Error
	if !errors.As(err, &own) || own.Text != strings.ReplaceAll(text, "FILE", file) || own.Hint != hint {
		t.Errorf("%#v", err)
	}
}

func filled(t *testing.T, file string) {
	s := open(t, file, 50)
	var rows []Row
	for n := range 200 {
		rows = append(rows, row(n, 1))
	}
	for part := range slices.Chunk(rows, 20) {
		if err := errors.Join(s.Remember(part), s.Forget([]Hash{person(7)})); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, s)
}

func closed(t *testing.T, s *State) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pages is how many pages a state has. The number depends on which pages bbolt uses again.
func pages(t *testing.T, file string) (n int64) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{PageSize: pageSize, ReadOnly: true})
	if err == nil {
		err = db.View(func(tx *bbolt.Tx) error { n = tx.Size() / pageSize; return nil })
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func cut(t *testing.T, file string, size int64) {
	t.Helper()
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, file string, at int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[at] ^= 1
	write(t, file, string(text))
}

// A commit whose rows are not as they were written is found when the state is opened: no row counts as the same.
func TestDamagedCommit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	s := open(t, file, 10)
	if err := s.Remember([]Row{row(1, 1)}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	written := func(r Row) []byte { return append(r.Person[:], r.Profile[:]...) }
	write(t, file, string(bytes.ReplaceAll(text, written(row(1, 1)), written(row(1, 2)))))
	for _, err := range []error{opens(file), looks(file, usual)} {
		same(t, err, file, "the state FILE is damaged: a commit is not as it was written",
			"delete it: the next run sends all rows again")
	}
}

// Look makes no file, Open makes one that only this user can read, and no address is in it or in the file beside it.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state")
	if err := looks(file, usual); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("Look made a file")
	}
	s := open(t, file, 10)
	h := s.Hasher()
	address := []byte("somebody@example.com")
	if err := s.Remember([]Row{{h.Person(address), h.Profile(address)}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	closed(t, s)
	if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte("somebody")) {
		t.Errorf("%v, or an address is in the file", err)
	}
	if found, _ := filepath.Glob(dir + "/*"); len(found) != 1 {
		t.Errorf("%q are left", found)
	}
}

// Hashes are the same in every process that opens the file, differ between persons and profiles and between files, and
// cost no memory.
func TestHasher(t *testing.T) {
	dir, text := t.TempDir(), []byte("a@example.com")
	s := open(t, dir+"/a", 10)
	first, profile := s.Hasher().Person(text), s.Hasher().Profile(text)
	closed(t, s)
	s, other := open(t, dir+"/a", 10), open(t, dir+"/b", 10)
	h := s.Hasher()
	if h.Person(text) != first || profile == first || other.Hasher().Person(text) == first {
		t.Error("hashes are not those of the file")
	}
	if n := testing.AllocsPerRun(100, func() { h.Person(text); h.Profile(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The list that is made during a run is stored, and so is an account that becomes known.
func TestBind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	b := usual
	b.List, b.Account = "", ""
	s, err := Open(file, b)
	if err != nil {
		t.Fatal(err)
	}
	s.Bind("L9")
	closed(t, s)
	b.List, b.Account = "L9", "A9"
	if s, err = Open(file, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Remember([]Row{row(1, 1)}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	b.Account = "A1"
	var own *Error
	if err = looks(file, b); !errors.As(err, &own) || !strings.HasSuffix(own.Text, "A9, and the key belongs to A1") {
		t.Errorf("%v", err)
	}
}

// A page that cannot be read is told in the words of the system, and is no page that was written wrongly.
func TestUnreadablePage(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	w := &walk{file: file, seen: make([]bool, 3)}
	if _, _, err := w.page(2); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// Several may look at a file at once. They see what is remembered, and change nothing, beside the file neither.
func TestLook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	filled(t, file)
	s := open(t, file, 10)
	if err := s.Remember([]Row{row(1, 1)}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	before, _ := os.ReadFile(file)
	for range 2 {
		s, err := Look(file, usual)
		if err != nil {
			t.Fatal(err)
		}
		defer closed(t, s)
		kept := make([]Kept, 3)
		if err := s.Compare([]Row{row(1, 1), row(1, 2), row(900, 1)}, kept); err != nil ||
			kept[0] != Same || kept[1] != Changed || kept[2] != New {
			t.Errorf("%v, %v", kept, err)
		}
	}
	after, _ := os.ReadFile(file)
	files, _ := os.ReadDir(filepath.Dir(file))
	if !bytes.Equal(before, after) || len(files) != 1 {
		t.Errorf("the file is the same: %t; %d files", bytes.Equal(before, after), len(files))
	}
}

// A file of a process that was killed while it made it has nothing to look at. Others can open it right after.
func TestLookAtNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	db, err := bbolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Look(file, usual); s != nil || err != nil {
		t.Errorf("expected nothing, got a state: %t, %v", s != nil, err)
	}
	if err := opens(file); err != nil {
		t.Error(err)
	}
}

// A process cannot open a state that another one has open, and learns who that is. When the other one is killed it can.
func TestOneProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	c := child(t, "hold", file)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	host, _ := os.Hostname()
	wanted := fmt.Sprintf("the state %s is in use by process %d on %s since %s", file, c.Process.Pid, host,
		time.Now().UTC().Format("2006-01-02T"))
	for what, err := range map[string]error{"Open": opens(file), "Look": looks(file, usual)} {
		var own *Error
		if !errors.As(err, &own) || !strings.HasPrefix(own.Text, wanted) || !strings.HasPrefix(own.Hint, "wait until") {
			t.Errorf("%s after %q: %v", what, line, err)
		}
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if err := opens(file); err != nil {
		t.Errorf("after the other was killed: %v", err)
	}
}

func opens(file string) error {
	s, err := Open(file, usual)
	if err != nil {
		return err
	}
	return s.Close()
}

// looks looks at a state file.
func looks(file string, b Binding) error {
	s, err := Look(file, b)
	if s == nil {
		return err
	}
	return s.Close()
}

// hold opens a state and keeps it until it is killed.
func hold(name string) {
	s, err := Open(name, usual)
	fmt.Println(s != nil, err)
	time.Sleep(time.Minute)
}

// Whatever is remembered and forgotten, merged and reopened, the state answers like a map.
func TestModel(t *testing.T) {
	dir, files := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		files++
		name := fmt.Sprintf("%s/%d", dir, files)
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		model := map[Hash]Hash{}
		var s *State
		reopen := func(t *rapid.T) {
			if s != nil {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if s, err = Open(name, usual); err != nil {
				t.Fatal(err)
			}
			s.limit = limit
		}
		reopen(t)
		defer func() { _ = s.Close() }()
		some := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Row {
			return row(rapid.IntRange(0, 60).Draw(t, "person"), rapid.IntRange(0, 3).Draw(t, "version"))
		}), 0, 12)
		t.Repeat(map[string]func(*rapid.T){
			"remember": func(t *rapid.T) {
				rows := some.Draw(t, "rows")
				if err := s.Remember(rows); err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					model[r.Person] = r.Profile
				}
			},
			"forget": func(t *rapid.T) {
				var persons []Hash
				for _, r := range some.Draw(t, "rows") {
					persons = append(persons, r.Person)
					delete(model, r.Person)
				}
				if err := s.Forget(persons); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": reopen,
			"": func(t *rapid.T) {
				rows := some.Draw(t, "compared")
				kept := make([]Kept, len(rows))
				if err := s.Compare(rows, kept); err != nil {
					t.Fatal(err)
				}
				for i, r := range rows {
					if want := answer(model, r); kept[i] != want {
						t.Fatalf("%x: got %d, want %d", r, kept[i], want)
					}
				}
			},
		})
	})
}

func answer(model map[Hash]Hash, r Row) Kept {
	profile, ok := model[r.Person]
	switch {
	case !ok:
		return New
	case profile != r.Profile:
		return Changed
	}
	return Same
}

// Compare may be called while others write: rows that nobody touches stay the same through commits and merges.
func TestCompareWhileWriting(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"), 500)
	h := s.Hasher()
	still := make([]Row, 5000)
	for n := range still {
		still[n] = numbered(h, uint64(n), 0)
	}
	if err := s.Remember(still); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			kept := make([]Kept, len(still))
			for range 50 {
				if err := s.Compare(still, kept); err != nil || slices.ContainsFunc(kept, func(k Kept) bool { return k != Same }) {
					t.Errorf("%v, or a row changed", err)
				}
			}
		})
		wg.Go(func() {
			h := s.Hasher()
			for i := range uint64(50) {
				rows, persons := []Row{}, []Hash{}
				for n := range uint64(100) {
					rows = append(rows, numbered(h, 10_000*uint64(w+1)+n, i))
					persons = append(persons, rows[n].Person)
				}
				if err := errors.Join(s.Forget(persons), s.Remember(rows)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A process that is killed at any moment leaves a state in which nobody is remembered against the calls that returned:
// who was forgotten stays so, and a row is remembered only if it was passed to Remember after that.
func TestKilled(t *testing.T) {
	kills := 20
	if *full > 0 {
		kills = 400
	}
	file := filepath.Join(t.TempDir(), "state")
	known := map[int][]int{} // versions that may be remembered of a person, 0 is none
	var rows []Row           // all versions of all persons
	for n := range 1000 {
		for v := range 251 {
			rows = append(rows, row(n, v))
		}
	}
	for range kills {
		c := child(t, "crash", file)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rand.N(40)+5) * time.Millisecond
		time.AfterFunc(after, func() { _ = c.Process.Kill() })
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var what string
			var from, version int
			if n, _ := fmt.Sscan(lines.Text(), &what, &from, &version); n != 3 {
				t.Fatalf("the child says %q", lines.Text())
			}
			for n := from; n < from+50; n++ {
				switch what {
				case "forget": // may or may not be done
					known[n] = append(known[n], 0)
				case "forgot":
					known[n] = []int{0}
				case "remember":
					known[n] = append(known[n], version)
				}
			}
		}
		_ = c.Wait()
		s, err := Open(file, usual)
		if err != nil {
			t.Fatalf("killed after %v: %v", after, err)
		}
		kept := make([]Kept, len(rows))
		if err := s.Compare(rows, kept); err != nil {
			t.Fatal(err)
		}
		for n := range 1000 {
			mine := kept[n*251 : (n+1)*251] // version 0 is never remembered
			now := max(slices.Index(mine, Same), 0)
			if now == 0 && mine[0] != New || now != 0 && !slices.Contains(known[n], now) {
				t.Fatalf("person %d: version %d is remembered, expected one of %v", n, now, known[n])
			}
			known[n] = []int{now}
		}
		closed(t, s)
	}
}

// crash forgets and remembers until it is killed. It says what it does before, and what is done.
func crash(name string) {
	s, err := Open(name, usual)
	if err != nil {
		fmt.Println(err)
		return
	}
	s.limit = 300
	for {
		from, version := rand.N(20)*50, rand.N(250)+1
		var rows []Row
		var persons []Hash
		for n := from; n < from+50; n++ {
			rows, persons = append(rows, row(n, version)), append(persons, person(n))
		}
		fmt.Println("forget", from, 0)
		if err := s.Forget(persons); err != nil {
			panic(err)
		}
		fmt.Println("forgot", from, 0)
		fmt.Println("remember", from, version)
		if err := s.Remember(rows); err != nil {
			panic(err)
		}
	}
}

// A damaged file never ends the process, and never makes a row the same that is not: each answer is right, or new, or
// the state says that it is damaged.
func TestDamage(t *testing.T) {
	times := 400
	if *full > 0 {
		times = 20_000
	}
	dir := t.TempDir()
	filled(t, dir+"/whole")
	whole, err := os.ReadFile(dir + "/whole")
	if err != nil {
		t.Fatal(err)
	}
	rows, model := []Row{}, map[Hash]Hash{}
	for n := range 210 {
		rows = append(rows, row(n, 1), row(n, 2))
		if n < 200 && n != 7 {
			model[person(n)] = row(n, 1).Profile
		}
	}
	kept := make([]Kept, len(rows))
	found := 0
	for i := range times {
		text := bytes.Clone(whole)
		switch i % 4 {
		case 0:
			text = text[:rand.N(len(text))]
		case 1: // pages that are not written
			at := rand.N(len(text)/pageSize) * pageSize
			clear(text[at : at+pageSize])
		case 2: // a page at the place of another
			from, to := rand.N(len(text)/pageSize)*pageSize, rand.N(len(text)/pageSize)*pageSize
			copy(text[to:], text[from:from+pageSize])
		default: // headers and elements are at the beginning of a page
			at := rand.N(len(text)/pageSize)*pageSize + rand.N([]int{32, 128, pageSize}[i%3])
			text[at] ^= 1 << rand.N(8)
		}
		file := fmt.Sprintf("%s/%d", dir, i) // after a panic of bbolt a file is in use until the process ends
		write(t, file, string(text))
		s, err := Open(file, usual)
		if err == nil {
			s.limit = 1
			err = s.Compare(rows, kept)
			for i, r := range rows {
				if want := answer(model, r); err == nil && kept[i] != want && !(len(text) == 0 && kept[i] == New) {
					t.Fatalf("%x: got %d, want %d", r, kept[i], want)
				}
			}
			if err == nil { // a commit and a merge go through, or fail
				err = s.Remember([]Row{row(300, 1)})
			}
			if failed := s.Close(); err == nil {
				err = failed
			}
		}
		var own *Error
		if err != nil && !errors.As(err, &own) {
			t.Fatalf("%#v", err)
		}
		if err != nil {
			found++
		}
		_ = os.Remove(file)
	}
	t.Logf("%d of %d were found", found, times)
	if found < times/3 {
		t.Errorf("%d of %d were found", found, times)
	}
}

// When the disk is full the state says so from then on, and what was committed before is still there. It needs root,
// for a disk of 2 MiB of its own.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a disk")
	}
	disk := t.TempDir()
	c := child(t, "fill", disk+"/state", "unshare", "--mount", "sh", "-c",
		`mount -t tmpfs -o size=2m none "$1" || { echo no mount; exit; }; exec "$2"`, "sh", disk)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) == "no mount\n" {
		t.Skip("mount is not allowed")
	}
	wanted := "write the state FILE: no space left on device; remember true, forget true, compare true, close true\n" +
		"what was committed is the same: true\n"
	if string(out) != strings.ReplaceAll(wanted, "FILE", disk+"/state") {
		t.Errorf("%s", out)
	}
}

// fill remembers rows until it cannot.
func fill(name string) {
	s, err := Open(name, usual)
	if err != nil {
		fmt.Println(err)
		return
	}
	h, done := s.Hasher(), []Row{}
	for n := uint64(0); ; n += 5000 {
		var rows []Row
		for i := range uint64(5000) {
			rows = append(rows, numbered(h, n+i, 0))
		}
		if err = s.Remember(rows); err != nil {
			break
		}
		done = append(done, rows...)
	}
	kept := make([]Kept, len(done))
	fmt.Printf("%v; remember %t, forget %t, compare %t, close %t\n", err, s.Remember(done[:1]) == err,
		s.Forget([]Hash{done[0].Person}) == err, s.Compare(done, kept) == err, s.Close() == err)
	s, err = Open(name, usual)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = s.Compare(done, kept)
	all := !slices.ContainsFunc(kept, func(k Kept) bool { return k != Same })
	fmt.Println("what was committed is the same:", err == nil && all && len(done) >= 5000)
}
