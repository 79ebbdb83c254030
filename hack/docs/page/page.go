// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package page reads the command blocks of a page of the documentation, and what the page shows as
// their output.
//
// A comment of HTML before a block, which a reader does not see, says how the block is run:
//
//	<!-- not run: it needs a registry -->       the reason why it is not
//	<!-- needs: jq -->                          a program, without which it is not run
//	<!-- before: script -->                     what has happened before, which the reader does not type
//	<!-- after: script -->                      what must hold afterwards
//	<!-- where: NAME=prices -->                 what stands for a word of the block
//	<!-- exit: 2 -->                            the exit code, where it is not 0
//	<!-- file: imports/prices.yaml -->          the file that the block shows; the block is written to it
//	<!-- shows: kubectl events -->              the command whose output a block without a language shows
//	<!-- manager: --owner-id=prod -->           the manager runs with these flags; or: running, stopped
package page

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Block is a fenced block that is run, or written to a file.
type Block struct {
	// Line is that of its first line in the page.
	Line int
	// Commands are run in order. A block of a shell script is one command.
	Commands []Command
	// Content and File are those of a block that is written to a file.
	Content, File string

	NotRun string
	Needs  []string
	// Before is done in order.
	Before []Step
	After  []string
	// Where has pairs of a word and what stands for it.
	Where [][2]string
	Exit  int
	shows string
}

// Step is one thing that has happened before: a script, or else what became of the manager.
type Step struct{ Script, Manager string }

// Command is a script, and what the page shows as its output, if it shows any.
type Command struct {
	Script string
	Output *string
	// Again says that the command may be run again until it prints the output.
	Again bool
}

// scripts are the languages of blocks that are one script. A block of console has prompts.
var scripts = []string{"sh", "bash", "shell"}

const console = "console"

// Read returns the blocks of a page that are run or written to a file, in their order.
func Read(source []byte) (blocks []Block, err error) {
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	err = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		fence, ok := node.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		block, err := read(source, fence)
		if err != nil {
			return ast.WalkStop, fmt.Errorf("line %d: %w", block.Line, err)
		}
		if len(block.Commands) > 0 || block.File != "" {
			blocks = append(blocks, block)
		}
		return ast.WalkSkipChildren, nil
	})
	return blocks, err
}

func read(source []byte, fence *ast.FencedCodeBlock) (Block, error) {
	content := textOf(source, fence.Lines())
	block := Block{Line: lineOf(source, fence), Content: content}
	directives := 0
	for node := fence.PreviousSibling(); node != nil; node = node.PreviousSibling() {
		comment, ok := node.(*ast.HTMLBlock)
		if !ok || comment.HTMLBlockType != ast.HTMLBlockType2 {
			break
		}
		html := textOf(source, comment.Lines())
		if comment.HasClosure() {
			html += string(comment.ClosureLine.Value(source))
		}
		found, err := block.direct(html)
		if err != nil {
			return block, err
		}
		directives += found
	}
	// They were read from the last to the first.
	slices.Reverse(block.Before)
	slices.Reverse(block.After)

	switch language := string(fence.Language(source)); {
	case block.File != "":
	case language == "" && block.shows != "":
		block.Commands = []Command{{Script: block.shows, Output: &content, Again: true}}
	case slices.Contains(scripts, language):
		block.Commands = []Command{{Script: content, Output: shown(source, fence), Again: reads.MatchString(strings.TrimSpace(content))}}
	case language == console:
		block.Commands = prompts(content)
		if len(block.Commands) == 0 {
			return block, fmt.Errorf("a block of console without a prompt, which is \"$ \"")
		}
	case language == "" && strings.HasPrefix(content, "$ "):
		return block, fmt.Errorf("a block with a prompt has the language %s", console)
	case directives > 0:
		return block, fmt.Errorf("a comment says how to run a block of the language %q, which is not run", language)
	}
	return block, nil
}

// shown is the block without a language that follows at once: the output.
func shown(source []byte, fence *ast.FencedCodeBlock) *string {
	next, ok := fence.NextSibling().(*ast.FencedCodeBlock)
	if !ok || len(next.Language(source)) > 0 {
		return nil
	}
	output := textOf(source, next.Lines())
	return &output
}

// reads are the commands that only read: what they read may take a moment to happen.
var reads = regexp.MustCompile(`^kubectl (?:(?:-n|--namespace) \S+ )?(?:get|describe|events|integrator (?:plan|diff|status|history)) [^|\n]*$`)

// prompts are the commands behind the prompts of a console, with what follows each.
func prompts(content string) (commands []Command) {
	var output strings.Builder
	end := func() {
		if text := strings.TrimSpace(output.String()); text != "" && len(commands) > 0 {
			commands[len(commands)-1].Output = &text
		}
		output.Reset()
	}
	for line := range strings.Lines(content) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			end()
			commands = append(commands, Command{Script: command, Again: reads.MatchString(strings.TrimSpace(command))})
			continue
		}
		output.WriteString(line)
	}
	end()
	return commands
}

var (
	comment   = regexp.MustCompile(`(?s)<!--(.*?)-->`)
	directive = regexp.MustCompile(`(?s)^\s*([a-z]+(?: [a-z]+)?):(.*)$`)
)

// direct takes the directives of comments, and returns how many there are.
func (b *Block) direct(html string) (found int, err error) {
	comments := comment.FindAllStringSubmatch(html, -1)
	slices.Reverse(comments)
	for _, match := range comments {
		parts := directive.FindStringSubmatch(match[1])
		if parts == nil {
			continue // a comment for whoever reads the source
		}
		if err := b.take(parts[1], strings.TrimSpace(parts[2])); err != nil {
			return found, err
		}
		found++
	}
	return found, nil
}

func (b *Block) take(name, value string) (err error) {
	if value == "" {
		return fmt.Errorf("<!-- %s: --> says nothing", name)
	}
	switch name {
	case "not run":
		b.NotRun = strings.Join(strings.Fields(value), " ")
	case "needs":
		b.Needs = append(b.Needs, strings.Fields(value)...)
	case "before":
		b.Before = append(b.Before, Step{Script: value})
	case "after":
		b.After = append(b.After, value)
	case "where":
		for _, pair := range strings.Fields(value) {
			word, by, ok := strings.Cut(pair, "=")
			if !ok {
				return fmt.Errorf("<!-- where: --> has %q, which is not WORD=text", pair)
			}
			b.Where = append(b.Where, [2]string{word, by})
		}
	case "exit":
		b.Exit, err = strconv.Atoi(value)
	case "file":
		b.File = value
	case "shows":
		b.shows = value
	case "manager":
		b.Before = append(b.Before, Step{Manager: value})
	default:
		return fmt.Errorf("<!-- %s: --> is not known", name)
	}
	return err
}

// Replace replaces the words of the directive "where" in what the block has. expand is applied to what
// stands for them.
func (b *Block) Replace(expand func(string) string) error {
	texts := []*string{&b.Content}
	for i := range b.Commands {
		texts = append(texts, &b.Commands[i].Script)
		if b.Commands[i].Output != nil {
			texts = append(texts, b.Commands[i].Output)
		}
	}
	for _, pair := range b.Where {
		word, found := regexp.MustCompile(`\b`+regexp.QuoteMeta(pair[0])+`\b`), false
		for _, text := range texts {
			found = found || word.MatchString(*text)
			*text = word.ReplaceAllLiteralString(*text, expand(pair[1]))
		}
		if !found {
			return fmt.Errorf("the block does not have the word %q of <!-- where: -->", pair[0])
		}
	}
	return nil
}

func textOf(source []byte, lines *text.Segments) string {
	var content strings.Builder
	for i := range lines.Len() {
		segment := lines.At(i)
		content.Write(segment.Value(source))
	}
	return content.String()
}

// lineOf is the line of the block's first line, or of its fence if it is empty.
func lineOf(source []byte, fence *ast.FencedCodeBlock) int {
	start := fence.Pos()
	if fence.Lines().Len() > 0 {
		start = fence.Lines().At(0).Start
	}
	return 1 + bytes.Count(source[:max(0, start)], []byte("\n"))
}
