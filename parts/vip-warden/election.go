package main

import (
	"context"
	"errors"
)

// election is the one that Talos holds: one key a candidate, named after its lease; the oldest is the winner's.
type election struct {
	etcd   *etcd
	prefix string
}

type rangeRequest struct {
	Key          []byte `json:"key"`
	RangeEnd     []byte `json:"range_end"`
	Limit        int    `json:"limit"`
	SortOrder    string `json:"sort_order"`
	SortTarget   string `json:"sort_target"`
	Serializable bool   `json:"serializable"`
}

type rangeResponse struct {
	Kvs []struct {
		Value []byte `json:"value"`
		// 64-bit numbers are text in etcd's JSON.
		Lease string `json:"lease"`
	} `json:"kvs"`
}

func (e *election) holder(ctx context.Context) (holder, error) {
	end := []byte(e.prefix)
	end[len(end)-1]++
	question := rangeRequest{
		Key: []byte(e.prefix), RangeEnd: end, Limit: 1,
		SortOrder: "ASCEND", SortTarget: "CREATE",
		// What this member has: the others may be about to elect a leader.
		Serializable: true,
	}
	var answer rangeResponse
	if err := e.etcd.call(ctx, "/v3/kv/range", question, &answer); err != nil {
		return holder{}, err
	}
	if len(answer.Kvs) == 0 || answer.Kvs[0].Lease == "" {
		return holder{}, errNoHolder
	}
	return holder{name: string(answer.Kvs[0].Value), lease: answer.Kvs[0].Lease}, nil
}

func (e *election) dismiss(ctx context.Context, holder holder) error {
	var answer struct{}
	err := e.etcd.call(ctx, "/v3/lease/revoke", map[string]string{"ID": holder.lease}, &answer)
	var said *refusal
	if errors.As(err, &said) && said.Code == codeNotFound {
		return nil
	}
	return err
}
