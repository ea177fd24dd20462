package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// about reads the id in {"data":{"type":kind,"id":ID}}.
func about(body []byte, kind string) (id string, ps problems) {
	bad := problems{invalid("/data", payloadInvalid)}
	if !validJSON(body) {
		return "", bad
	}
	if ps := onlyMembers(walk(body).b, "", kind, "data"); ps != nil {
		return "", ps
	}
	data := find(body, "data")
	if data == nil {
		return "", bad
	}
	if ps := onlyMembers(data, "/data", kind, "type", "id"); ps != nil {
		return "", ps
	}
	id, ok := identity(data)
	if given := find(data, "type"); !ok || given == nil || string(given) != `"`+kind+`"` {
		return "", bad
	}
	return id, nil
}

// postSendJob is POST /api/campaign-send-jobs. Choices: a campaign that is not a draft, was sent before, or lacks a
// template or an audience is refused.
func (s *Simulator) postSendJob(c *call) answer {
	id, ps := about(c.body, "campaign-send-job")
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	one := s.campaign(id)
	if one == nil {
		return noCampaign(id).answer()
	}
	one.posts++
	refuse := func(why string) answer { return invalid("/data/id", "%s", why).answer() }
	switch {
	case !one.sent.IsZero() || one.Status != draft:
		return refuse("The campaign is not a draft.")
	case one.Channel == "email" && slices.Contains(one.Lacks, "template"):
		return refuse("The campaign has a message without a template.")
	case len(one.included) == 0:
		return refuse("The campaign has no audience.")
	}
	one.sent, one.recipients = s.options.Now(), s.audience(one)
	return c.document(http.StatusAccepted, c.appendStatus("campaign-send-job", sendJobsPath, id, "queued"))
}

// getSendJob is GET /api/campaign-send-jobs/{id}. Choice: a campaign that was never sent has no send job, and the
// answer is that to an unknown id.
func (s *Simulator) getSendJob(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	one := s.campaign(c.id)
	if one == nil || one.sent.IsZero() {
		return noCampaign(c.id).answer()
	}
	_, job := s.status(one)
	return c.document(http.StatusOK, c.appendStatus("campaign-send-job", sendJobsPath, one.ID, job))
}

// appendStatus appends the resource object of a job that has an id and a status alone.
func (c *call) appendStatus(kind, path, id, status string) []byte {
	b := c.fields[kind].resource(nil, kind, id, []attribute{{"status", quote(nil, status)}})
	return append(appendSelf(append(b, ','), c.base+path+"/"+id+"/"), '}')
}

const estimating = "campaign-recipient-estimation-job"

// postEstimation is POST /api/campaign-recipient-estimation-jobs.
func (s *Simulator) postEstimation(c *call) answer {
	id, ps := about(c.body, estimating)
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	one := s.campaign(id)
	if one == nil {
		return noCampaign(id).answer()
	}
	one.estimated = s.options.Now()
	return c.document(http.StatusAccepted, c.appendStatus(estimating, estimatingPath, id, "processing"))
}

// notEstimated is the problem of an estimation that is not there yet, as observed.
var notEstimated = notFound("No results or results were out of date. Schedule a new estimation.")

// estimation returns how far the last estimation of a campaign is: from 0 to 1, and 0 without one.
func (s *Simulator) estimation(one *campaign) float64 {
	if one.estimated.IsZero() || one.NoEstimate {
		return 0
	}
	whole := cmp.Or(one.EstimateAfter, s.options.JobTime)
	return min(1, float64(s.options.Now().Sub(one.estimated))/float64(whole))
}

// getEstimating is GET /api/campaign-recipient-estimation-jobs/{id}. Choices: in the first third of the time there is
// nothing to be seen, and the job is complete after two thirds.
func (s *Simulator) getEstimating(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	one := s.campaign(c.id)
	if one == nil {
		return noCampaign(c.id).answer()
	}
	status := "processing"
	switch done := s.estimation(one); {
	case done < 1./3:
		return notEstimated.answer()
	case done >= 2./3:
		status = "complete"
	}
	return c.document(http.StatusOK, c.appendStatus(estimating, estimatingPath, one.ID, status))
}

// getEstimate is GET /api/campaign-recipient-estimations/{id}. Choices: the count comes some time after the job is
// complete, and it is that of the moment of the answer.
func (s *Simulator) getEstimate(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	one := s.campaign(c.id)
	switch {
	case one == nil:
		return noCampaign(c.id).answer()
	case s.estimation(one) < 1:
		return notEstimated.answer()
	}
	n := int64(len(s.audience(one)))
	if one.Recipients != nil {
		n = int64(*one.Recipients)
	}
	const kind = "campaign-recipient-estimation"
	b := c.fields[kind].resource(nil, kind, one.ID,
		[]attribute{{"estimated_recipient_count", strconv.AppendInt(nil, n, 10)}})
	return c.document(http.StatusOK, append(appendSelf(append(b, ','), c.base+estimatesPath+"/"+one.ID+"/"), '}'))
}
