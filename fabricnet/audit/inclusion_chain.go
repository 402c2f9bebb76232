package audit

import "fmt"

// open decodes a block and checks it in itself.
func (p *proving) open(height uint64) (*block, error) {
	if b := p.opened[height]; b != nil {
		return b, nil
	}
	encoded, ok := p.encoded[height]
	if !ok {
		return nil, fmt.Errorf("block %d is missing", height)
	}
	b, err := decodeBlock(encoded)
	if err == nil && b.number != height {
		err = fmt.Errorf("is block %d", b.number)
	}
	if err == nil {
		err = b.checkData()
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	p.opened[height] = b
	return b, nil
}

// configuration is the one that came in a block, once it is shown to have been the channel's.
func (p *proving) configuration(height uint64) (*configuration, error) {
	if c := p.configurations[height]; c != nil {
		return c, nil
	}
	if p.depth++; p.depth > maxReconfigured {
		return nil, fmt.Errorf("the channel's configuration changed more than %d times", maxReconfigured)
	}
	defer func() { p.depth-- }()
	b, err := p.open(height)
	if err != nil {
		return nil, err
	}
	if _, ok := b.configuration(); !ok {
		return nil, fmt.Errorf("block %d holds no configuration", height)
	}
	var before *configuration
	if height > 0 {
		if before, err = p.changed(b); err != nil {
			return nil, err
		}
	} else if err := p.pinned(b); err != nil {
		return nil, err
	}
	c, err := readConfiguration(b)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	if before != nil && (c.channel != before.channel || c.sequence <= before.sequence) {
		return nil, fmt.Errorf("block %d holds configuration %d of channel %.64q after configuration %d of %q", height, c.sequence, c.channel, before.sequence, before.channel)
	}
	p.configurations[height] = c
	return c, nil
}

func (p *proving) pinned(b *block) error {
	switch {
	case p.ChannelGenesis.IsZero():
		p.assumed = append(p.assumed, fmt.Sprintf("that the channel is the consortium's, on which all that blocks show rests, since whoever founds a channel says who speaks for each organisation: "+
			"its block 0 has hash %s, compare it", b.hash))
	case b.hash != p.ChannelGenesis:
		return fmt.Errorf("block 0 has hash %s, the channel's that is trusted has hash %s", b.hash, p.ChannelGenesis)
	}
	return nil
}

// changed verifies a block with a later configuration under the one that the block before it was sealed under, and gives that.
func (p *proving) changed(b *block) (*configuration, error) {
	previous, err := p.open(b.number - 1)
	if err != nil {
		return nil, err
	}
	before, err := p.sealed(previous)
	if err != nil {
		return nil, err
	}
	if err := b.checkFollows(b.number, previous.hash); err != nil {
		return nil, fmt.Errorf("block %d: %w", b.number, err)
	}
	if _, err := before.checkSeal(b); err != nil {
		return nil, fmt.Errorf("block %d: %w", b.number, err)
	}
	p.assumed = append(p.assumed, fmt.Sprintf("that the channel's organisations agreed to its configuration in block %d: the orderers sealed it, who signed for it is not evaluated", b.number))
	return before, nil
}

// sealed verifies the orderers' signatures of a block and gives the configuration that holds behind it.
func (p *proving) sealed(b *block) (*configuration, error) {
	if c := p.under[b.number]; c != nil {
		return c, nil
	}
	if _, ok := b.configuration(); ok || b.number == 0 {
		return p.configuration(b.number)
	}
	last, err := b.lastConfiguration()
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", b.number, err)
	}
	if last >= b.number {
		return nil, fmt.Errorf("block %d: orderers signed it under the configuration of block %d", b.number, last)
	}
	c, err := p.configuration(last)
	if err != nil {
		return nil, err
	}
	n, err := c.checkSeal(b)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", b.number, err)
	}
	p.under[b.number], p.sealers[b.number] = c, []string{fmt.Sprintf("%d of the channel's orderers", n)}
	return c, nil
}
